"""The model gateway: keys of model APIs outside the pods, live budgets, one governor for rate limits."""
