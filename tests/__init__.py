"""The promises of Sceau, each as a test."""
