"""The small encoder that reads what is asked. See README.md."""
