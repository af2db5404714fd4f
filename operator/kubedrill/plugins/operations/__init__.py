"""What undoes operations outside the API server: fake jobs in Redis, announced alerts. No kopf in here."""
