"""What is done about what shoppers say: tags, cases, referrals, reviews."""
