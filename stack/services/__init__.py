"""Every process of a stack: what it is, how it is supervised and asked."""
