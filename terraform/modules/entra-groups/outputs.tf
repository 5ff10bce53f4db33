output "object_ids" {
  description = "Object id of each group: tier => id."
  value       = { for name, group in azuread_group.this : name => group.object_id }
}
