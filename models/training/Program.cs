using AgentPlatform.Training.Sentiment;

const string Usage = """
    Trains the models that live in this repository, from the data beside them.

    dotnet run --project models/training -- sentiment [--folder models/sentiment] [--folds]

      sentiment   trains on FOLDER/data, writes FOLDER/model.onnx, config.json and metrics.json, and prints what the written files reach
                  on FOLDER/heldout.tsv
      --folder    the model's folder (default models/sentiment)
      --folds     only cross-validates over the training groups and writes nothing: the figure to choose settings by

    The same data gives the same files.
    """;

switch (args)
{
    case ["--help" or "-h"]:
        Console.WriteLine(Usage);
        return 0;
    case ["sentiment", .. var options] when options is [] or ["--folds"]:
        return SentimentTraining.Run("models/sentiment", foldsOnly: options.Length > 0);
    case ["sentiment", "--folder", var folder, .. var rest] when rest is [] or ["--folds"]:
        return SentimentTraining.Run(folder, foldsOnly: rest.Length > 0);
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
