"""Deployment: the CloudFormation templates, and what builds the two packages of the function."""
