"""What the screens of offers are made of: the builder, its words, previews and lists."""
