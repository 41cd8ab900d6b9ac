-- Posts the sale of SALE_FILE again and again, each time under an external id of its own. With MAIL=1 every second one is
-- to be sent to its shopper by email.
local sale = io.open(os.getenv("SALE_FILE")):read("*a")
local before, after = sale:match('^(.*"external_id":%s*")[^"]*(".*)$')
local asking = os.getenv("MAIL") == "1" and before:gsub("^%s*{", '{"deliver": ["email"],', 1) or before
local run, count = os.time() .. "-" .. math.random(1e9), 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("API_KEY")

function request()
  count = count + 1
  return wrk.format(nil, nil, nil, (count % 2 == 0 and asking or before) .. run .. "-" .. count .. after)
end
