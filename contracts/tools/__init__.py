"""What is made from the schemas, and what judges and releases them."""
