"""An index as tools of an assistant: what they may read, what they answer, and the server that offers them."""
