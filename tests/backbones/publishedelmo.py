"""ELMo as the published TensorFlow code has it: its files, and its equations once more, slowly, in numpy."""

import json

import numpy as np

OPTIONS = {
    "bidirectional": True,
    "dropout": 0.1,
    "n_train_tokens": 768648884,
    "char_cnn": {
        "activation": "relu",
        "embedding": {"dim": 4},
        "filters": [[1, 4], [2, 5], [3, 6]],
        "max_characters_per_token": 50,
        "n_characters": 262,
        "n_highway": 2,
    },
    "lstm": {
        "cell_clip": 3,
        "dim": 16,
        "n_layers": 2,
        "proj_clip": 3,
        "projection_dim": 8,
        "use_skip_connections": True,
    },
}


def options(*, char_cnn=None, lstm=None):
    """The options with some of them changed; None takes one away."""
    made = json.loads(json.dumps(OPTIONS))
    for part, given in (("char_cnn", char_cnn), ("lstm", lstm)):
        made[part] = {key: value for key, value in (made[part] | (given or {})).items() if value is not None}
    return made


def arrays(told, seed=0, size=0.6):
    """Random arrays in the published layout; large enough that clipping happens."""
    draw = np.random.default_rng(seed)
    made, language = told["char_cnn"], told["lstm"]
    total, width, dim = sum(n for _, n in made["filters"]), language["projection_dim"], language["dim"]
    shapes = {"char_embed": (261, made["embedding"]["dim"])}
    for i, (wide, count) in enumerate(made["filters"]):
        shapes |= {f"CNN/W_cnn_{i}": (1, wide, made["embedding"]["dim"], count), f"CNN/b_cnn_{i}": (count,)}
    for i in range(made.get("n_highway", 0)):
        for gate in ("carry", "transform"):
            shapes |= {f"CNN_high_{i}/W_{gate}": (total, total), f"CNN_high_{i}/b_{gate}": (total,)}
    if total != width:
        shapes |= {"CNN_proj/W_proj": (total, width), "CNN_proj/b_proj": (width,)}
    for direction in (0, 1):
        for layer in range(language.get("n_layers", 1)):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"
            shapes |= {cell + "W_0": (2 * width, 4 * dim), cell + "B": (4 * dim,)}
            if width < dim:
                shapes[cell + "W_P_0"] = (dim, width)
    return {name: draw.normal(size=shape, scale=size).astype(np.float32) for name, shape in shapes.items()}


def write(folder, told=None, found=None, prefix=""):
    """A folder as published."""
    import h5py

    told = told or OPTIONS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{prefix}options.json").write_text(json.dumps(told))
    with h5py.File(folder / f"{prefix}weights.hdf5", "w") as file:
        for name, values in (arrays(told) if found is None else found).items():
            file.create_dataset(name, data=values)
    return folder


def layers(told, found, words):
    """What each layer makes of a sentence: L + 1 arrays (t, 2p), the sentence's frame taken off."""
    tokens = np.stack([_word(told, found, spelled) for spelled in ([256], *map(_bytes, words), [257])])
    reach = [np.concatenate([tokens, tokens], axis=1)]
    given = {0: tokens, 1: tokens[::-1]}
    for layer in range(told["lstm"].get("n_layers", 1)):
        for direction in (0, 1):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"
            put_out = _lstm(told["lstm"], found, cell, given[direction])
            skips = told["lstm"].get("use_skip_connections") and layer > 0
            given[direction] = put_out + given[direction] if skips else put_out
        reach.append(np.concatenate([given[0], given[1][::-1]], axis=1))
    return [each[1:-1] for each in reach]


def _bytes(word):
    return list(word.encode("utf-8"))[:48]


def _word(told, found, spelled):
    ids = [258, *spelled, 259]
    ids = np.array(ids + [260] * (50 - len(ids))) + 1
    table = np.concatenate([np.zeros_like(found["char_embed"][:1]), found["char_embed"]])
    letters = table[ids].astype(np.float64)
    act = np.tanh if told["char_cnn"]["activation"] == "tanh" else (lambda x: np.maximum(x, 0))
    put_out = []
    for i, (wide, count) in enumerate(told["char_cnn"]["filters"]):
        kernel, bias = found[f"CNN/W_cnn_{i}"][0], found[f"CNN/b_cnn_{i}"]
        places = [
            [float((letters[at : at + wide] * kernel[:, :, one]).sum() + bias[one]) for one in range(count)]
            for at in range(50 - wide + 1)
        ]
        put_out.append(act(np.max(places, axis=0)))
    x = np.concatenate(put_out)
    for i in range(told["char_cnn"].get("n_highway", 0)):
        part = {name: found[f"CNN_high_{i}/{name}"] for name in ("W_carry", "b_carry", "W_transform", "b_transform")}
        gate = _sigmoid(x @ part["W_carry"] + part["b_carry"])
        x = gate * np.maximum(x @ part["W_transform"] + part["b_transform"], 0) + (1 - gate) * x
    return x @ found["CNN_proj/W_proj"] + found["CNN_proj/b_proj"] if "CNN_proj/W_proj" in found else x


def _lstm(told, found, cell, given):
    def clip(x, most):
        return x if most is None else np.clip(x, -most, most)

    c, m, put_out = np.zeros(told["dim"]), np.zeros(told["projection_dim"]), []
    for x in given:
        i, j, f, o = np.split(np.concatenate([x, m]) @ found[cell + "W_0"] + found[cell + "B"], 4)
        c = clip(_sigmoid(f + 1.0) * c + _sigmoid(i) * np.tanh(j), told.get("cell_clip"))
        m = _sigmoid(o) * np.tanh(c)
        if cell + "W_P_0" in found:
            m = clip(m @ found[cell + "W_P_0"], told.get("proj_clip"))
        put_out.append(m)
    return np.stack(put_out)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))
