"""What tests share: builders, fakes of ports, and published data where present."""
