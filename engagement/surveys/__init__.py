"""Surveys: NPS and CSAT, what is answered, and what is done about it."""
