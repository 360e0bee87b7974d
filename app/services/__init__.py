"""What people do with the campus: one class for each noun, one method for each deed."""
