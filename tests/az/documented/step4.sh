USER_OBJECT_ID=$(az ad signed-in-user show --query id -o tsv)
az role assignment create \
--role "Key Vault Administrator" \
--assignee $USER_OBJECT_ID \
--scope "/subscriptions/$SUBSCRIPTION_ID/resourceGroups/$RESOURCE_GROUP/providers/Microsoft.KeyVault/vaults/$KEY_VAULT_NAME"
