"""What functions are called on sheets, with what they are, and which letters are words of a sentence."""

from derivations.functions import WRITABLE

SPOKEN = {
    "sigma": "sigmoid", "sig": "sigmoid", "sigm": "sigmoid", "sigmoid": "sigmoid", "logistic": "sigmoid",
    "tanh": "tanh", "exp": "exp", "log": "log", "ln": "log", "sqrt": "sqrt", "relu": "relu", "diag": "diag",
    "outer": "outer", "dot": "dot", "detach": "detach", "sum": "sum", "mean": "mean", "square": "square",
    "transpose": "transpose",
    "softplus": "softplus", "logsumexp": "logsumexp", "sech": "sech", "cosh": "cosh", "sinh": "sinh",
    "dsigmoid": "dsigmoid", "dsigma": "dsigmoid", "dsigm": "dsigmoid", "d_sigmoid": "dsigmoid",
    "sigmoid_prime": "dsigmoid", "sigmoid_grad": "dsigmoid", "sigmoid_derivative": "dsigmoid",
    "sigmoid_deriv": "dsigmoid", "sigmoid_backward": "dsigmoid", "deriv_sigmoid": "dsigmoid",
    "dtanh": "dtanh", "d_tanh": "dtanh", "tanh_prime": "dtanh", "tanh_grad": "dtanh", "tanh_derivative": "dtanh",
    "tanh_deriv": "dtanh", "tanh_backward": "dtanh", "deriv_tanh": "dtanh",
    **{name: name for name in WRITABLE},
}  # fmt: skip
_LETTERS = {
    "alpha", "beta", "gamma", "delta", "epsilon", "eps", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi", "rho",
    "tau", "phi", "chi", "psi", "omega", "var", "std", "hat", "bar", "tilde", "net", "new", "old", "prev", "next",
}  # fmt: skip
_SHORT = {"is", "so", "of", "in", "as", "by", "or", "to", "at", "on", "if", "we", "an", "it", "no", "be"}


def is_word(text: str) -> bool:
    """Whether letters are a word of a sentence, and no name or function."""
    small = text.lower()
    return small in _SHORT or (len(small) > 2 and small not in _LETTERS and small not in SPOKEN)
