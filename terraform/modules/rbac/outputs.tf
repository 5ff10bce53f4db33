output "ids" {
  description = "Ids of the assignments by their names. Depend on this where the role must exist first."
  value       = { for name, assignment in azurerm_role_assignment.this : name => assignment.id }
}
