"""What is raised for input that cannot be used: a clear sentence with its cause and its remedy."""


class DataError(ValueError):
    """The data cannot be fitted as they are: the message names the cause and the remedy."""


class DataTypeError(TypeError):
    """The data are of a type that is not a column of real numbers."""


class ParameterError(ValueError):
    """A parameter of a mixture, or an option of a call, is out of its range."""
