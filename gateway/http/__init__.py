"""What stands around every request, and the web app's files."""
