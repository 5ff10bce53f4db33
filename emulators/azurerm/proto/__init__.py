"""Messages of Terraform's plugin protocol 5, compiled from tfplugin5.proto."""
