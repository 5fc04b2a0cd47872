"""The options that choose cells: the same for every command that makes a plan."""

from typing import Any

import click

from implementations import catalogue

CHOICES = [
    click.option(
        "--profile",
        default="quick",
        show_default=True,
        help="How much is measured: smoke, quick, choose, zoo, full, gpu or peers.",
    ),
    click.option(
        "--model", help=f"Which network, or several with commas; a TOML file may say it.  [default: {catalogue.MODEL}]"
    ),
    click.option("--framework", "frameworks", help="Only these, with commas: numpy,torch,keras-tensorflow,... or all."),
    click.option("--device", "devices", help="Only these, with commas: cpu, cuda, cuda:0, ..."),
    click.option("--threads", help="CPU threads, with commas, or `all`. By default all cores."),
    click.option("--phase", "phases", help="Only these, with commas: train_step,predict,epoch,products,peak,copy."),
    click.option("--precision", "precisions", help="With commas: float64,float32,tf32,bfloat16, or all."),
    click.option("--mode", "modes", help="With commas: plain,tuned, or all."),
    click.option("--variant", "variants", help="Only these, with commas: spec,stock."),
    click.option("--set", "sets", multiple=True, metavar="AXIS=N,N", help="Sweep an axis: --set batch=32,256."),
    click.option("-k", "keyword", default="", help="Only cells whose identity contains this."),
    click.option(
        "--spec", default="", help="A preset or a TOML file with the network. [default: the model's first preset]"
    ),
    click.option(
        "--data",
        metavar="FILE",
        help="Your data: a .npz with x and y, a text (.txt), or a folder of MNIST's IDX files.",
    ),
    click.option(
        "--python",
        "pythons",
        multiple=True,
        metavar="NAME=PATH",
        help="An interpreter of its own: torch=PATH, or beside the first: torch@next=PATH.",
    ),
]


def chosen(command: Any) -> Any:
    """Give a command the options that choose cells."""
    for option in reversed(CHOICES):
        command = option(command)
    return command
