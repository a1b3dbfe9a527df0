"""What builds, deploys and fills the system; nothing of it ships inside the Lambda functions."""
