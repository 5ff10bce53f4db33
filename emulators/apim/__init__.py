"""The local gateway: runs the API Management policy XML that Terraform applied. Its limits are in README.md."""
