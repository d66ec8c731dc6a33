"""A stock exchange of the past, replayed: a vendor of its own, which the producers know by HTTP alone."""
