using AgentPlatform.Trainer.TinyChat;
using AgentPlatform.Training.Sentiment;

const string Usage = """
    Trains the models that live in this repository, from the data beside them. models/train.sh starts it with what it needs.

    dotnet run --project models/trainer -- sentiment [--folder models/sentiment] [--folds]
    dotnet run --project models/trainer -- tiny-chat [--folder models/tiny-chat] [--validate]

      sentiment   trains on FOLDER/data, writes FOLDER/model.onnx, config.json and metrics.json, and prints what the written files reach
                  on FOLDER/heldout.tsv
      tiny-chat   trains on FOLDER/data/train-*.jsonl, writes FOLDER/model.onnx, tiny-chat.gguf, tokenizer and settings, and metrics.json:
                  what model.onnx answers to FOLDER/data/heldout-*.jsonl
      --folder    the model's folder
      --folds     only cross-validates over the training groups and writes nothing: the figure to choose settings by
      --validate  writes nothing and does not ask the held-out questions; what is printed, on questions for development, is what settings
                  are chosen by

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
    case ["tiny-chat", .. var options] when options is [] or ["--validate"]:
        return TinyChatTraining.Run("models/tiny-chat", validateOnly: options.Length > 0);
    case ["tiny-chat", "--folder", var folder, .. var rest] when rest is [] or ["--validate"]:
        return TinyChatTraining.Run(folder, validateOnly: rest.Length > 0);
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
