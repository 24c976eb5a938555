"""The books: who may ask for what, what is reserved, what was spent; and the journal that keeps them."""
