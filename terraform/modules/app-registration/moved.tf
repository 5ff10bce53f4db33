# An address that the code has had: without this, the identifier of what is deployed would be removed and set again.

moved {
  from = azuread_application_identifier_uri.this[0]
  to   = azuread_application_identifier_uri.this["this"]
}
