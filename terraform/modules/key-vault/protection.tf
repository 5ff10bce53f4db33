# Stops hands in the portal and every other tool. It does not stop this Terraform, which removes the lock first.
resource "azurerm_management_lock" "this" {
  for_each = var.lock_enabled ? { this = {} } : {}

  name       = "keep-data"
  scope      = azurerm_key_vault.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds the secrets of the MCP platform. Remove this lock deliberately."
}

# Stops this Terraform: prevent_destroy has to be a literal, so it stands on a stand-in that exists or not, by value. Whatever
# deletes or replaces the vault changes its id, and with it this resource, which refuses.
resource "terraform_data" "keep" {
  for_each = var.prevent_destroy ? { vault = azurerm_key_vault.this.id } : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}
