"""Deployment: the CloudFormation templates, the zip and the container image of the function."""
