"""The rules, without IO, clock or randomness of their own."""
