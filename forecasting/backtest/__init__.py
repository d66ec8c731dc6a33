"""Every family at rolling origins, asked what it could not know."""
