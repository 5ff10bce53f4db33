# Create Federated Credential
az identity federated-credential create \
--name "ado-federation" \
--identity-name $IDENTITY_NAME \
--resource-group $RESOURCE_GROUP \
--issuer "https://vstoken.dev.azure.com/${ADO_ORG}" \
--subject "sc://${ADO_ORG}/${ADO_PROJECT}/${SERVICE_CONNECTION_NAME}" \
--audiences "api://AzureADTokenExchange"
# Assign Contributor role
az role assignment create \
--assignee-object-id $IDENTITY_PRINCIPAL_ID \
--assignee-principal-type ServicePrincipal \
--role "Contributor" \
--scope "/subscriptions/$SUBSCRIPTION_ID"
# Assign User Access Administrator (required for Terraform RBAC)
az role assignment create \
--assignee-object-id $IDENTITY_PRINCIPAL_ID \
--assignee-principal-type ServicePrincipal \
--role "User Access Administrator" \
--scope "/subscriptions/$SUBSCRIPTION_ID"
MI_OBJECT_ID=$(az identity show \
--name $IDENTITY_NAME \
--resource-group $RESOURCE_GROUP \
--query principalId -o tsv)
# Assign Application Administrator role
az rest --method POST \
--uri "https://graph.microsoft.com/v1.0/roleManagement/directory/roleAssignments" \
--headers "Content-Type=application/json" \
--body "{
\"@odata.type\": \"#microsoft.graph.unifiedRoleAssignment\",
\"principalId\": \"$MI_OBJECT_ID\",
\"roleDefinitionId\": \"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3\",
\"directoryScopeId\": \"/\"
}"
# Get Microsoft Graph Service Principal
MSGRAPH_SP_ID=$(az ad sp list --filter "appId eq '00000003-0000-0000-c000-000000000000'" --query "[0].id" -o tsv)
# Grant AppRoleAssignment.ReadWrite.All (for admin consent)
az rest --method POST \
--uri "https://graph.microsoft.com/v1.0/servicePrincipals/${MI_OBJECT_ID}/appRoleAssignments" \
--headers "Content-Type=application/json" \
--body "{
\"principalId\": \"${MI_OBJECT_ID}\",
\"resourceId\": \"${MSGRAPH_SP_ID}\",
\"appRoleId\": \"06b708a9-e830-4db3-a914-8e69da51d44f\"
}"
# Grant Group.ReadWrite.All (for Entra ID groups)
az rest --method POST \
--uri "https://graph.microsoft.com/v1.0/servicePrincipals/${MI_OBJECT_ID}/appRoleAssignments" \
--headers "Content-Type=application/json" \
--body "{
\"principalId\": \"${MI_OBJECT_ID}\",
\"resourceId\": \"${MSGRAPH_SP_ID}\",
\"appRoleId\": \"62a82d76-70ea-41e2-9197-370581804d09\"
}"
