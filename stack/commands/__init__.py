"""What the commands do and print, one module each."""
