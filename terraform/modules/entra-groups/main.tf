resource "azuread_group" "this" {
  for_each = var.groups

  display_name            = each.value.display_name
  description             = each.value.description
  owners                  = each.value.owners
  security_enabled        = true
  prevent_duplicate_names = var.prevent_duplicate_names
}

# One resource per member: people whom an administrator adds in the portal stay.
resource "azuread_group_member" "this" {
  for_each = merge([
    for name, group in var.groups : { for member in group.members : "${name}/${member}" => { group = name, member = member } }
  ]...)

  group_object_id  = azuread_group.this[each.value.group].object_id
  member_object_id = each.value.member
}
