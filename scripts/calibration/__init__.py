"""The probability behind a verdict, fitted to pairs of photographs and checked."""
