"""What every request shares: transactions, authentication, negotiation, headers, caches, forms, rendering."""
