"""A local stand-in for AWS Glue's Python package: the script that runs on Glue runs against it unchanged.

Names and behaviour are those of AWS's `awsglue` as documented at
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python.html, as far as a job script needs them;
any other name raises NotImplementedError. A backend reads and writes the data (see `_backend`).
"""
