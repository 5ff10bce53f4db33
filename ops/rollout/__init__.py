"""What changes a platform: plan, deploy, rolling update, rollback, heal, rotate, unlock, destroy."""
