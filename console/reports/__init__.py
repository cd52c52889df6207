"""What the policy tools found, in the forms that people and other programs read."""
