"""What the adaptive reading finds of pictures that are not like photographs."""
