"""AWS through boto3: Glue jobs, S3 artifacts, DynamoDB ledger and leases, secrets, logs and events."""
