"""What is put into the virtual machine: it uses nothing but Python's own library."""
