# Addresses that the code has had: without these, what is deployed would be replaced.

moved {
  from = azurerm_public_ip.this[0]
  to   = azurerm_public_ip.this["this"]
}

moved {
  from = azurerm_api_management_logger.application_insights[0]
  to   = azurerm_api_management_logger.application_insights["this"]
}

moved {
  from = azurerm_api_management_diagnostic.application_insights[0]
  to   = azurerm_api_management_diagnostic.application_insights["this"]
}

moved {
  from = azurerm_api_management_policy_fragment.leaf["mcp-refuse"]
  to   = azurerm_api_management_policy_fragment.this["mcp-refuse"]
}

moved {
  from = azurerm_api_management_policy_fragment.leaf["mcp-upstream"]
  to   = azurerm_api_management_policy_fragment.this["mcp-upstream"]
}

moved {
  from = azurerm_api_management_policy_fragment.leaf["oauth-refuse"]
  to   = azurerm_api_management_policy_fragment.this["oauth-refuse"]
}
