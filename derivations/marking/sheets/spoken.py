"""What functions are called on sheets, with what they are."""

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
