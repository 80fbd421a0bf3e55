"""What was found, told.

numbers    arrays and numbers under stable names
sentences  what each figure shows, from its numbers
page       figures and sentences on a page, and all files of a folder
"""
