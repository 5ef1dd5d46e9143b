"""The tables of a product by day kept as columns, beside its files: pieces, reading, keeping, checking.

The files are the truth. A piece is an HDF5 file that is written once and then only replaced as a whole: one for each
day, and one for each month that is over. A question looks up the index, and takes the rows of each file from a piece if
one was made of that very file, by name, size and SHA-256; else from the file.

    columns/2019/272.h5        a day
    columns/2019/month-09.h5   a month, made of its days
      slot_3/imgsize_8/0/sources          the files, in the order of their rows
      slot_3/imgsize_8/0/columns/TIME     a column, contiguous
"""
