"""The ground floor: money, ids, time, errors, languages. Pure standard library."""
