"""The JSON face through its door: public documents, and the API of programs."""
