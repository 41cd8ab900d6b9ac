-- Posts the sale of SALE_FILE again and again, each time under an external id of its own.
local sale = io.open(os.getenv("SALE_FILE")):read("*a")
local before, after = sale:match('^(.*"external_id":%s*")[^"]*(".*)$')
local run, count = os.time() .. "-" .. math.random(1e9), 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("API_KEY")

function request()
  count = count + 1
  return wrk.format(nil, nil, nil, before .. run .. "-" .. count .. after)
end
