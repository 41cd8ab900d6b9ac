"""Tables of offers."""
