"""The door to AWS: how to get there, the gate that every call goes through, and what refusals mean."""
