"""MLflow: runs, registered versions, and what lies in one."""
