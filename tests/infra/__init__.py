"""infra/ of rendered projects, run by the real Terraform without Azure."""
